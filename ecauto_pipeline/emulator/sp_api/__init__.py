"""Amazon's side: LWA tokens and the four Selling Partner API operations, one module each."""
