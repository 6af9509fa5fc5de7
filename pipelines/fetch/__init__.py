"""Sources that are not files: a fetch writes a delivery into landing, and the door does the rest.

One module a kind of source (`postgres`, `mysql`, `api`, `folder`, `sftp`); `fetch` decides
whether anything is to be fetched and puts it in its place; no other module here knows the door.
"""
