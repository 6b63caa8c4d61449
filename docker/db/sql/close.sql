-- While a schema takes the place of lab, whoever connects waits for this lock, and whoever is connected loses the
-- connection: nobody sees anything between the old and the new. (Accounts with all rights skip init_connect.)
DO GET_LOCK('swap', 60);
SET GLOBAL init_connect = 'DO GET_LOCK(''swap'', 60), RELEASE_LOCK(''swap'')';

DELIMITER //
BEGIN NOT ATOMIC
    DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; -- it has ended by itself
    FOR one IN (
        SELECT id FROM information_schema.processlist
        WHERE id <> CONNECTION_ID() AND command <> 'Daemon' AND user NOT IN ('system user', 'event_scheduler')
    ) DO
        KILL one.id;
    END FOR;
END//
DELIMITER ;

-- Who connects with all rights and holds a table makes this fail, not wait for ever.
SET lock_wait_timeout = 60;
