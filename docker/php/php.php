<?php
// GET /lab/php.json: PHP's version and its extensions, for programs.
$extensions = array_map('strtolower', get_loaded_extensions());
sort($extensions);
header('Content-Type: application/json');
header('Cache-Control: no-store');
header('X-Content-Type-Options: nosniff');
echo json_encode([
    'version' => PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . '.' . PHP_RELEASE_VERSION,
    'extensions' => $extensions,
    'opcache' => (bool) ini_get('opcache.enable') && extension_loaded('Zend OPcache'),
]), "\n";
