<?php
// GET /adminer/: Debian's Adminer (4.8 in bookworm, 5.2 in trixie), for the lab's database alone.

const THE_SERVER = 'db';
// By a parameter of one of these names, Adminer would talk to a database of another kind.
const OTHER_DRIVERS = ['clickhouse', 'elastic', 'firebird', 'imap', 'mongo', 'mssql', 'oracle', 'pgsql', 'simpledb',
    'sqlite', 'sqlite2'];

// A warning of Adminer's own, as 4.8 has some, would stand in the middle of the JSON that it sends. It is logged.
ini_set('display_errors', '0');

$_GET = array_diff_key($_GET, array_flip(OTHER_DRIVERS));
if (isset($_GET['server'])) {
    $_GET['server'] = THE_SERVER;
}
if (isset($_POST['auth'])) {
    $_POST['auth'] = ['driver' => 'server', 'server' => THE_SERVER] + (array) $_POST['auth'];
}
// Adminer would have the browser ask its maker for a newer version, where this does not say that it has.
$_COOKIE['adminer_version'] = '0';

function adminer_object(): object
{
    class_alias(class_exists('Adminer\Adminer') ? 'Adminer\Adminer' : 'Adminer', 'AnyAdminer');

    return new class extends AnyAdminer
    {
        public function credentials(): array
        {
            [, $account, $password] = parent::credentials();

            return [THE_SERVER, $account, $password];
        }

        // The kind of the database and where it is are not asked for; account and database are filled in.
        public function loginFormField($name, $heading, $value): string
        {
            if (in_array($name, ['driver', 'server'], true)) {
                return '';
            }
            if (in_array($name, ['username', 'db'], true)) {
                // 4.8 calls the choice of the kind, which is not there.
                $choice = "qs('#username').form['auth[driver]'].onchange();";
                $value = str_replace([' value=""', $choice], [' value="lab"', ''], $value);
            }

            return parent::loginFormField($name, $heading, $value);
        }

        // Nothing is loaded from elsewhere.
        public function csp($csp = []): array
        {
            return array_map(fn ($directives) => ['frame-src' => "'none'"] + $directives, parent::csp($csp));
        }
    };
}

require '/usr/share/adminer/adminer.php';
