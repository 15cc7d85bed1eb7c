"""Commands of the whole product: the demo."""
