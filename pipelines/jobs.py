"""The jobs: one night. Nothing else belongs here."""

import dagster as dg

NIGHTLY = "nightly"

nightly_job = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    description="一夜：收取、建模、核查、反馈、发布。与 yishu nightly 相同。",
    # In one process: a second one would cost seconds a step and buy nothing.
    executor_def=dg.in_process_executor,
)
