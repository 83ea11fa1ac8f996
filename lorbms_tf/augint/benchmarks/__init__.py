"""How fast AugIntAE learns."""
