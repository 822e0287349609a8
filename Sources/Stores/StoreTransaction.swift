public import Postgres

/// The transaction that stores work in; workers get it from the engine and pass it on.
public typealias StoreTransaction = PostgresTransaction

/// The connections that stores read with outside of a transaction.
public typealias StorePool = PostgresPool
