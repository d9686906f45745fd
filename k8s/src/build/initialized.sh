touch "$PGDATA/toygres.initialized"
