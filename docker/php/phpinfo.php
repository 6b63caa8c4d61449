<?php
// GET /lab/phpinfo: what PHP says of itself, without the environment and the variables, which hold cookies.
header("Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    . "form-action 'none'; frame-ancestors 'none'");
header('Cache-Control: no-store');
header('X-Content-Type-Options: nosniff');
header('Referrer-Policy: no-referrer');
phpinfo(INFO_GENERAL | INFO_CONFIGURATION | INFO_MODULES);
