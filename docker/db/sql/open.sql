DROP DATABASE IF EXISTS lab_whole;
DROP TABLE IF EXISTS lab.`~swap`;
SET GLOBAL init_connect = '';
DO RELEASE_LOCK('swap');
