-- Makes room for the tables of lab_whole. Where the table `~swap` has left it, they are in lab already.
DELIMITER //
BEGIN NOT ATOMIC
    IF EXISTS (
        SELECT 1 FROM information_schema.tables WHERE table_schema = 'lab_whole' AND table_name = '~swap'
    ) THEN
        -- A schema beside this one may refer to a table that has its like in the new one.
        SET STATEMENT foreign_key_checks = 0 FOR DROP DATABASE IF EXISTS lab;
        SELECT CONCAT('CREATE DATABASE lab CHARACTER SET ', default_character_set_name, ' COLLATE ', default_collation_name)
        INTO @statement FROM information_schema.schemata WHERE schema_name = 'lab_whole';
        EXECUTE IMMEDIATE @statement;
    END IF;
END//
DELIMITER ;
