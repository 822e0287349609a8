internal import Postgres

extension StoreMigrations {
  static let story = PostgresMigration(
    name: "scheduling_0002_story",
    sql: """
      ALTER TABLE scheduling.booking ADD COLUMN attendance_confirmed_at timestamptz;

      -- What happened to a booking, step by step, and the job that did it. No personal data.
      CREATE TABLE scheduling.booking_event (
        booking_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT now(), job_id uuid NOT NULL,
        what text NOT NULL, detail text NOT NULL DEFAULT ''
      );
      CREATE INDEX booking_event_booking ON scheduling.booking_event (booking_id, at);
      CREATE INDEX booking_event_job ON scheduling.booking_event (job_id);
      """)

  static let whatsApp = PostgresMigration(
    name: "whatsapp_0001_messages",
    sql: """
      CREATE SCHEMA whatsapp;

      -- The number a business writes from, by the provider's ids.
      CREATE TABLE whatsapp.number (
        phone_number_id text PRIMARY KEY, business_id uuid NOT NULL UNIQUE, account_id text, display_number text
      );
      -- Which account a number belongs to, as webhooks have told.
      CREATE TABLE whatsapp.number_account (phone_number_id text PRIMARY KEY, account_id text NOT NULL);
      CREATE INDEX number_account_id ON whatsapp.number (account_id);

      -- Messages to customers. A row is the intent: it stands before anything is sent, and its id travels with the message.
      -- prepared -> sending by compare-and-set, so one process sends; in_doubt: nobody knows whether it was accepted.
      CREATE TABLE whatsapp.outbound (
        id uuid PRIMARY KEY, business_id uuid NOT NULL, booking_id uuid NOT NULL, notice text NOT NULL, cause uuid NOT NULL,
        phone_number_id text NOT NULL, facts jsonb NOT NULL,
        state text NOT NULL DEFAULT 'prepared' CHECK (state IN
          ('prepared', 'sending', 'in_doubt', 'accepted', 'refused', 'superseded', 'expired', 'unknown')),
        owner uuid, job_id uuid, sending_at timestamptz, sends int NOT NULL DEFAULT 0, resends int NOT NULL DEFAULT 0,
        -- The last refusal's code, and how often it came in a row.
        code int, repeats int NOT NULL DEFAULT 0,
        -- A Brazilian number is tried once in its other form.
        other_form boolean NOT NULL DEFAULT false,
        wamid text, delivery text, delivery_code int,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (booking_id, notice, cause)
      );
      CREATE INDEX outbound_wamid ON whatsapp.outbound (wamid) WHERE wamid IS NOT NULL;
      CREATE INDEX outbound_cause ON whatsapp.outbound (cause);
      CREATE INDEX outbound_job ON whatsapp.outbound (job_id) WHERE job_id IS NOT NULL;
      CREATE INDEX outbound_open ON whatsapp.outbound (state, updated_at)
        WHERE state IN ('prepared', 'sending', 'in_doubt', 'unknown');

      -- What the provider said of messages: each report once, in any order.
      CREATE TABLE whatsapp.status_report (
        wamid text NOT NULL, status text NOT NULL, recipient text NOT NULL, at timestamptz NOT NULL, code int,
        callback text, phone_number_id text, raw jsonb NOT NULL, job_id uuid NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (wamid, status, recipient)
      );
      CREATE INDEX status_report_callback ON whatsapp.status_report (callback) WHERE callback IS NOT NULL;
      CREATE INDEX status_report_job ON whatsapp.status_report (job_id);
      CREATE INDEX status_report_number ON whatsapp.status_report (phone_number_id, at);

      -- Messages from customers. Personal data.
      CREATE TABLE whatsapp.inbound (
        wamid text PRIMARY KEY, business_id uuid, phone_number_id text, account_id text, sender text, user_id text,
        profile_name text, type text NOT NULL, context_id text, reply text, at timestamptz NOT NULL, raw jsonb NOT NULL,
        job_id uuid NOT NULL, received_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX inbound_context ON whatsapp.inbound (context_id) WHERE context_id IS NOT NULL;
      CREATE INDEX inbound_number ON whatsapp.inbound (phone_number_id, at);
      CREATE INDEX inbound_job ON whatsapp.inbound (job_id);

      -- All else the provider tells, known shapes and unknown ones.
      CREATE TABLE whatsapp.event (
        key text PRIMARY KEY, field text NOT NULL, business_id uuid, account_id text, phone_number_id text,
        at timestamptz NOT NULL, raw jsonb NOT NULL, job_id uuid NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX event_job ON whatsapp.event (job_id);

      -- What is not sent for the time being. A row stays until a message gets through; past `until` one message tries.
      CREATE TABLE whatsapp.pause (
        scope text NOT NULL CHECK (scope IN ('number', 'template', 'account')), key text NOT NULL,
        until timestamptz NOT NULL, code int NOT NULL, since timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (scope, key)
      );
      CREATE TABLE whatsapp.template_state (
        account_id text NOT NULL, name text NOT NULL, language text NOT NULL, state text NOT NULL, at timestamptz NOT NULL,
        PRIMARY KEY (account_id, name, language)
      );
      -- Who wants no marketing.
      CREATE TABLE whatsapp.marketing_stop (
        phone_number_id text NOT NULL, recipient text NOT NULL, stops boolean NOT NULL, at timestamptz NOT NULL,
        PRIMARY KEY (phone_number_id, recipient)
      );
      -- The id the provider has for a number; it may lack Brazil's ninth digit.
      CREATE TABLE whatsapp.address (
        business_id uuid NOT NULL, number text NOT NULL, recipient_id text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (business_id, number)
      );
      """)

  static let reporting = PostgresMigration(
    name: "reporting_0001_rollups",
    sql: """
      CREATE SCHEMA reporting;
      -- The business of what belongs to none is the nil UUID.
      CREATE TABLE reporting.rollup_minute (
        business_id uuid NOT NULL, start timestamptz NOT NULL, measure text NOT NULL, detail text NOT NULL,
        count bigint NOT NULL, PRIMARY KEY (business_id, start, measure, detail)
      ) WITH (fillfactor = 70);
      CREATE TABLE reporting.rollup_hour (LIKE reporting.rollup_minute INCLUDING ALL) WITH (fillfactor = 70);
      CREATE TABLE reporting.rollup_day (LIKE reporting.rollup_minute INCLUDING ALL) WITH (fillfactor = 70);
      CREATE INDEX rollup_day_start ON reporting.rollup_day (start);
      """)
}
