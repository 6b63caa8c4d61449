"""Why a CGI script failed: rules that name the first cause, the evidence for it, and what mends it."""
