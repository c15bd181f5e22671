"""What Celery has to be told on both sides, for the one that sends runs and for the workers that take them.

Not for: what follows where nobody takes one (launcher.py).
Source: celery/app/defaults.py, celery/worker/consumer/tasks.py (5.7), kombu/transport/redis.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CELERY: Mapping[str, Any] = {
    "worker_prefetch_multiplier": 1,  # a worker takes what it can begin now ...
    "worker_disable_prefetch": True,  # ... and nothing on top of it, which would wait there while others are free
    "task_acks_late": False,  # whose worker dies is tried again by Dagster, not by the broker beside it
    "worker_max_tasks_per_child": 1,  # a process a run, as on one machine
    "worker_redirect_stdouts": False,  # else Dagster's compute logs are empty
    "worker_cancel_long_running_tasks_on_connection_loss": False,  # a run goes on while Redis is away
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # for as long as it takes
    "redis_socket_connect_timeout": 5.0,
    "broker_transport_options": {
        "visibility_timeout": 604_800,  # a week: nothing is given a second time
        "max_retries": 3,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
        "socket_connect_timeout": 5.0,
    },
    "result_backend_transport_options": {"retry_policy": {"max_retries": 2, "interval_step": 0.2, "interval_max": 0.5}},
}
