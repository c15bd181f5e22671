"""Amazon's side: LWA tokens and the five Selling Partner API operations, one module each."""
