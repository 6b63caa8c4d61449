"""Starts Python scripts by forking an interpreter that is there already, instead of starting one for each request.

httpd hands a request over a Unix socket (mod_proxy_scgi), and this server forks a child, which becomes the script's
process: see docs/forkserver.md. From the ground up: `scgi` and `receiving` read a request, `programs` says what is to
be run, `script` is what a child does, `log` writes into httpd's log, `starting` forks, `run` passes on what a script
prints until it has ended, `server` serves, and `__main__` keeps a server running.
"""
