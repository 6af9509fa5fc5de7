"""How much of anything the door takes before it refuses.

Belongs here: every bound on what one file may ask of the machine, with its reason. Does not
belong here: what a file is refused for besides its size.
"""

from __future__ import annotations

COLUMNS = 16_384
"""Columns of a table: as many as a sheet of Excel has."""
RECORD_BYTES = 64 << 20
"""One record of a text file. It is held in memory as a whole."""
HEAD_BYTES = 256 << 10
"""What is looked at to find encoding, delimiter and header."""
MEMBERS = 1_000
"""Members of an archive."""
EXPANDED_BYTES = 64 << 30
"""All that an archive unpacks to. It is streamed; this bounds the time and the disk."""
EXPANSION_RATIO = 200
"""Unpacked bytes to packed bytes, above `EXPANSION_FREE_BYTES`; text packs 5 to 50 times."""
EXPANSION_FREE_BYTES = 64 << 20
SPOOLED_BYTES = 2 << 30
"""A member that must lie on the disk to be read (workbook, Parquet)."""
WORKBOOK_CELLS = 16_000_000
"""Cells of one sheet, blank ones among them counted: 1,048,576 rows of 15 columns. Each takes
some 100 bytes while the sheet is read (1,000,000 rows of 12 columns: 1.2 GB)."""
WORKBOOK_EXPANDED_BYTES = 4 << 30
"""What the parts of a workbook unpack to."""
WORKBOOK_INDEX_BYTES = 4 << 20
"""The part of a workbook that names its sheets."""
WORKBOOK_MEMORY = 3 << 30
"""Address space of the process that reads workbooks."""
WORKBOOK_SECONDS = 15.0
WORKBOOK_SECONDS_PER_MB = 3.0
"""Time for a sheet to open, and per megabyte of the file; damaged ones can go round in circles.
A workbook of 50 MB, a million rows, takes 8 seconds here."""
DOCUMENT_BYTES = 64 << 20
"""An HTML page, which is held in memory as a whole."""
JSON_DEPTH = 200
XML_DEPTH = 200
PARQUET_GROUP_BYTES = 2 << 30
"""One row group of a Parquet file, unpacked."""
NOTED_LINES = 1_000
"""Line numbers noted of one kind of finding; beyond, they are only counted."""
