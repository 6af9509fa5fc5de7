"""Months of deliveries in which departments get things wrong, and the truth about it.

Belongs here: the calendar of what departments send, the incidents that are planted in it, the
files of every night, corrected ones among them, and what each incident ought to be called.
Does not belong here: the city itself (`sample_city`), running nights or scoring orders
(`pipelines.evaluation_quality`).
"""
