"""Images to features, by networks that are published or were trained here."""
