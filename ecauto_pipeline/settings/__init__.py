"""Everything that is policy, read from ecauto.toml; secrets only by the name of their environment variable.

Not for: secrets' values (wiring asks the environment for them) or facts about an API (they stand beside its operation).
One module a family of tables; what the rest of the program asks for is named here.
"""

from ecauto_pipeline.settings.amazon import Offers, OperationLimits, SpAccount, SpApi, Tiers, Ttl
from ecauto_pipeline.settings.ecauto_toml import Settings, config_path, load, parse, places
from ecauto_pipeline.settings.fleet import Fleet
from ecauto_pipeline.settings.lanes import WHOLE_LANE, LaneTable
from ecauto_pipeline.settings.running import CHANNEL_KINDS, Alerts, Channel, Desk, Slices
from ecauto_pipeline.settings.section import Section
from ecauto_pipeline.settings.selling import Guards, PriceTier, Pricing
from ecauto_pipeline.settings.shops import BaseAccount, BaseFees, CsvAccount, CsvShops, ShopAccount

__all__ = [
    "CHANNEL_KINDS",
    "WHOLE_LANE",
    "Alerts",
    "BaseAccount",
    "BaseFees",
    "Channel",
    "CsvAccount",
    "CsvShops",
    "Desk",
    "Fleet",
    "Guards",
    "LaneTable",
    "Offers",
    "OperationLimits",
    "PriceTier",
    "Pricing",
    "Section",
    "Settings",
    "ShopAccount",
    "Slices",
    "SpAccount",
    "SpApi",
    "Tiers",
    "Ttl",
    "config_path",
    "load",
    "parse",
    "places",
]
