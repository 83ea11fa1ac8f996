"""What adversarial training needs, whatever it trains: losses and balances."""
