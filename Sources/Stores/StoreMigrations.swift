public import Postgres

/// The domain's tables, in the schemas `scheduling`, `whatsapp` and `reporting`.
public enum StoreMigrations {
  /// In order; never edited once released.
  public static let all = [scheduling, story, whatsApp, reporting]

  private static let scheduling = PostgresMigration(
    name: "scheduling_0001_bookings",
    sql: """
      CREATE EXTENSION IF NOT EXISTS btree_gist;
      CREATE SCHEMA scheduling;

      CREATE TABLE scheduling.business (
        id uuid PRIMARY KEY, name text NOT NULL, time_zone text NOT NULL,
        minimum_notice_seconds int NOT NULL DEFAULT 0 CHECK (minimum_notice_seconds >= 0),
        horizon_seconds int NOT NULL DEFAULT 5184000 CHECK (horizon_seconds > 0),
        days_off jsonb NOT NULL DEFAULT '[]'
      );
      CREATE TABLE scheduling.service (
        id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES scheduling.business, name text NOT NULL,
        duration_seconds int NOT NULL CHECK (duration_seconds > 0), interval_seconds int NOT NULL CHECK (interval_seconds > 0),
        buffer_before_seconds int NOT NULL DEFAULT 0 CHECK (buffer_before_seconds >= 0),
        buffer_after_seconds int NOT NULL DEFAULT 0 CHECK (buffer_after_seconds >= 0)
      );
      CREATE INDEX service_business ON scheduling.service (business_id);
      CREATE TABLE scheduling.professional (
        id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES scheduling.business, name text NOT NULL, schedule jsonb NOT NULL
      );
      CREATE INDEX professional_business ON scheduling.professional (business_id);
      CREATE TABLE scheduling.professional_service (
        professional_id uuid NOT NULL REFERENCES scheduling.professional, service_id uuid NOT NULL REFERENCES scheduling.service,
        PRIMARY KEY (professional_id, service_id)
      );

      -- No references: a request for a business that does not exist is kept as well, as rejected.
      CREATE TABLE scheduling.booking (
        id uuid PRIMARY KEY, business_id uuid NOT NULL, service_id uuid NOT NULL, professional_id uuid NOT NULL,
        customer_name text NOT NULL, customer_phone text NOT NULL, starts_at timestamptz NOT NULL, ends_at timestamptz,
        status text NOT NULL CHECK (status IN ('validating', 'confirmed', 'rejected', 'cancelled')),
        reasons jsonb NOT NULL DEFAULT '[]', alternatives jsonb NOT NULL DEFAULT '[]',
        -- What was asked for, hashed: the same idempotency key with another request is told apart.
        fingerprint text NOT NULL,
        -- The last reschedule and what became of it.
        last_change jsonb,
        -- The newest command that was applied; UUIDv7, so an older one that comes late is known as such.
        last_command uuid NOT NULL,
        version int NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX booking_business ON scheduling.booking (business_id, starts_at);

      -- Who has which time. Buffers included; adjacent stretches do not overlap. Empty and unbounded ranges would slip through.
      CREATE TABLE scheduling.claim (
        booking_id uuid PRIMARY KEY, business_id uuid NOT NULL, professional_id uuid NOT NULL, blocked tstzrange NOT NULL,
        CHECK (NOT isempty(blocked) AND lower_inc(blocked) AND NOT upper_inc(blocked) AND NOT upper_inf(blocked)),
        CONSTRAINT claim_no_overlap EXCLUDE USING gist (business_id WITH =, professional_id WITH =, blocked WITH &&)
      );
      """)
}
