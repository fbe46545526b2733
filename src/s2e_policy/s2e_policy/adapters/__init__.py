"""Published policies of others (S2E, GNM, ViNT, NoMaD, CityWalker, MBRA) under our protocol."""
