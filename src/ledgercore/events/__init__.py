"""Events in the commit that caused them, and the webhooks that tell of them."""
