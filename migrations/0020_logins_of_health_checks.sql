-- Whether a check that succeeded logged in; otherwise it used a connection that was kept. NULL for one that failed, and for those that an earlier
-- release has recorded. A column without a default is added without a rewrite of the table.
ALTER TABLE health_checks ADD COLUMN logged_in boolean;
