<?php
$password = file_get_contents('/run/secrets/db_password');
$database = new PDO('mysql:host=db;dbname=lab;charset=utf8mb4', 'lab', $password);
$people = $database->query('SELECT last_name, first_name, age FROM people ORDER BY last_name, first_name');
?>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>People</title>
<link rel="icon" href="data:,">
</head>
<body>
<main>
<h1>People</h1>
<table>
<thead>
<tr><th scope="col">Last name</th><th scope="col">First name</th><th scope="col">Age</th></tr>
</thead>
<tbody>
<?php foreach ($people as $person): ?>
<tr>
<td><?= htmlspecialchars($person['last_name']) ?></td>
<td><?= htmlspecialchars($person['first_name']) ?></td>
<td><?= $person['age'] ?></td>
</tr>
<?php endforeach ?>
</tbody>
</table>
</main>
</body>
</html>
