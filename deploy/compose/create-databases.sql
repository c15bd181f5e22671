-- Beside the state: the register, and Dagster's own records
CREATE DATABASE register OWNER ecauto;
CREATE DATABASE dagster OWNER ecauto;
