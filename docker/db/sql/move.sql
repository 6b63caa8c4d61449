-- Moves all tables of the schema @from into the schema @to, in one statement, which MariaDB does as a whole or not at
-- all, also when it is killed. Only without triggers can a table leave its schema.
DELIMITER //
BEGIN NOT ATOMIC
    FOR one IN (SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = @from) DO
        SET @statement = CONCAT('DROP TRIGGER ', @from, '.`', REPLACE(one.name, '`', '``'), '`');
        EXECUTE IMMEDIATE @statement;
    END FOR;
    SELECT CONCAT('RENAME TABLE ', GROUP_CONCAT(@from, '.', quoted, ' TO ', @to, '.', quoted)) INTO @statement
    FROM (
        SELECT CONCAT('`', REPLACE(table_name, '`', '``'), '`') AS quoted FROM information_schema.tables
        WHERE table_schema = @from AND table_type <> 'VIEW'
    ) AS tables;
    EXECUTE IMMEDIATE IFNULL(@statement, 'DO 0');
END//
DELIMITER ;
