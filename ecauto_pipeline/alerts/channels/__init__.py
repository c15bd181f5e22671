"""Ways to reach people, one module a kind. `send` is the only way in; it never raises and never shows a secret."""

from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.sending import SendResult, channel_names, name_of, send

__all__ = ["Message", "SendResult", "channel_names", "name_of", "send"]
