-- Dagster's records beside the state, in a database of their own
CREATE DATABASE dagster OWNER ecauto;
