"""The schedule: 02:00 in Linyi, for the business date that has just ended."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from pipelines.jobs import NIGHTLY
from pipelines.partitions import TIMEZONE


def nightly_schedule() -> dg.ScheduleDefinition:
    """One run a night; the run key keeps a restarted daemon from running it twice."""

    @dg.schedule(
        name="every_night",
        job_name=NIGHTLY,
        cron_schedule="0 2 * * *",
        execution_timezone=TIMEZONE,
        description="每天 02:00 处理前一个业务日期。",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        tick = context.scheduled_execution_time.astimezone(ZoneInfo(TIMEZONE))
        business_date = (tick - timedelta(days=1)).date().isoformat()
        return dg.RunRequest(run_key=business_date, partition_key=business_date)

    return every_night
