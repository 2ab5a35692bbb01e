/** PostgreSQL for every service: pool, transactions, LISTEN, and what an error means. The only import of pg and the only knex(). */
export * from './open-database.ts'
export * from './pg-errors.ts'
