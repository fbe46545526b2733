"""One module for each node; `main` of each is its executable."""
