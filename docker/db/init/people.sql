-- The people of web_05.py, loaded when the database is made. Every *.sql file beside this one is loaded too, in the
-- order of their names.
CREATE TABLE people (
    id         INTEGER UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    last_name  VARCHAR(100) NOT NULL,
    first_name VARCHAR(100) NOT NULL,
    age        TINYINT UNSIGNED NOT NULL,
    KEY (last_name, first_name)
);

INSERT INTO people (last_name, first_name, age) VALUES
    ('de la Huche', 'Jean-Paul', 42),
    ('Lovelace', 'Ada', 36);
