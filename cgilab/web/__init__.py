"""The programs of the web server's container, beside the path of a request: the recorder and the lab's own pages."""
