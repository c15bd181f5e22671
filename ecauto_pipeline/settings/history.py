"""The table about where what happened is kept.

Not for: what is kept (history/), or for how long (it is kept).
"""

from __future__ import annotations

from pydantic import Field

from ecauto_pipeline.settings.section import Section


class History(Section):
    """The proof (Parquet), and when it is looked after. Credentials of object storage: AWS's own variables."""

    url: str = Field("", description='"" = data/history; "file:///folder", or "s3://bucket/prefix" for a fleet')
    endpoint: str = Field(
        "", description='address of an S3 other than Amazon\'s ("" = AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, Amazon)'
    )
    publish: str = Field(
        "*/5 * * * *", description="fleet: cron line of the publisher, which carries what runs left into history"
    )
    compact: str = Field(
        "40 3 * * *", description='cron line of merging the files of ended days, Japanese time; "" = by hand'
    )
