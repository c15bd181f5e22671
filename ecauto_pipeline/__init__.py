"""Keeps BASE listings in step with Amazon.co.jp within the budget of the Selling Partner API."""
