"""The S2E model: encoder, fusion, anchor queries, decoder and heads; and its loss."""
