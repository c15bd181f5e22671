"""Two lanes as ecauto.toml has them: a shop and an SP-API account each.

Not for: the shops (every test names its own), or what lanes mean (wiring/test_lanes.py).
"""

LANES = """
[[sp_api.accounts]]
id = "sp_1"
[[sp_api.accounts]]
id = "sp_2"
[[lanes]]
id = "east"
shops = ["base_account_1"]
sp_accounts = ["sp_1"]
[[lanes]]
id = "west"
shops = ["base_account_2"]
sp_accounts = ["sp_2"]
"""
