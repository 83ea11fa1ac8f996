"""How good the candidates of records are: by labels, by an independent look, by the graph."""
