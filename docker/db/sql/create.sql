-- Makes the schema @to, with the character set and the collation of the schema @from.
SELECT CONCAT('CREATE DATABASE ', @to, ' CHARACTER SET ', default_character_set_name, ' COLLATE ', default_collation_name)
INTO @statement FROM information_schema.schemata WHERE schema_name = @from;
EXECUTE IMMEDIATE @statement;
