-- No foreign keys to other schemas: bookings and businesses are ids here.
CREATE SCHEMA messaging;

-- The phone number a business sends from, by the provider's ids.
CREATE TABLE messaging.phone_number (
  phone_number_id text PRIMARY KEY,
  business_id uuid NOT NULL UNIQUE,
  account_id text,
  display_number text
);
CREATE INDEX phone_number_account_idx ON messaging.phone_number (account_id);

-- Which account a phone number belongs to, as webhooks have reported it.
CREATE TABLE messaging.phone_number_account (
  phone_number_id text PRIMARY KEY,
  account_id text NOT NULL
);

-- Messages to customers. A row is the intent: it is stored before anything is sent; its id travels with the message.
-- prepared -> sending by compare-and-set, so that one attempt sends; in_doubt: unknown whether it was accepted.
CREATE TABLE messaging.message (
  id uuid PRIMARY KEY,
  business_id uuid NOT NULL,
  booking_id uuid NOT NULL,
  notification text NOT NULL,
  -- The job it follows from; of a message to the alternate number, its own id.
  cause_id uuid NOT NULL,
  phone_number_id text NOT NULL,
  -- What it is about: ids and times, no personal data.
  subject jsonb NOT NULL,
  state text NOT NULL DEFAULT 'prepared' CHECK (state IN
    ('prepared', 'sending', 'in_doubt', 'accepted', 'refused', 'superseded', 'expired', 'unknown')),
  -- The attempt that is sending it.
  attempt_id uuid,
  job_id uuid,
  sending_at timestamptz,
  send_count int NOT NULL DEFAULT 0,
  -- How often the message was in doubt and sent again.
  resend_count int NOT NULL DEFAULT 0,
  -- The last refusal's code, and how often it came in a row.
  error_code int,
  error_repeats int NOT NULL DEFAULT 0,
  -- A Brazilian number may be tried once with, or without, the ninth digit.
  uses_alternate_number boolean NOT NULL DEFAULT false,
  -- The provider's id of the message.
  wamid text,
  delivery_status text,
  delivery_error_code int,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (booking_id, notification, cause_id)
);
CREATE INDEX message_wamid_idx ON messaging.message (wamid) WHERE wamid IS NOT NULL;
CREATE INDEX message_cause_idx ON messaging.message (cause_id);
CREATE INDEX message_job_idx ON messaging.message (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX message_open_idx ON messaging.message (state, updated_at)
  WHERE state IN ('prepared', 'sending', 'in_doubt', 'unknown');

-- What the provider reported of messages: each report once, in any order.
CREATE TABLE messaging.status_report (
  wamid text NOT NULL,
  status text NOT NULL,
  recipient text NOT NULL,
  occurred_at timestamptz NOT NULL,
  error_code int,
  -- Was sent along with the message: its id.
  callback text,
  phone_number_id text,
  raw jsonb NOT NULL,
  job_id uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (wamid, status, recipient)
);
CREATE INDEX status_report_callback_idx ON messaging.status_report (callback) WHERE callback IS NOT NULL;
CREATE INDEX status_report_job_idx ON messaging.status_report (job_id);
CREATE INDEX status_report_phone_number_idx ON messaging.status_report (phone_number_id, occurred_at);

-- Messages from customers. Personal data.
CREATE TABLE messaging.inbound_message (
  wamid text PRIMARY KEY,
  business_id uuid,
  phone_number_id text,
  account_id text,
  sender text,
  user_id text,
  profile_name text,
  type text NOT NULL,
  -- The wamid of the message it answers.
  context_id text,
  reply_payload text,
  occurred_at timestamptz NOT NULL,
  raw jsonb NOT NULL,
  job_id uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbound_message_context_idx ON messaging.inbound_message (context_id) WHERE context_id IS NOT NULL;
CREATE INDEX inbound_message_phone_number_idx ON messaging.inbound_message (phone_number_id, occurred_at);
CREATE INDEX inbound_message_job_idx ON messaging.inbound_message (job_id);

-- Everything else the provider reports, known shapes and unknown ones.
CREATE TABLE messaging.provider_event (
  key text PRIMARY KEY,
  field text NOT NULL,
  business_id uuid,
  account_id text,
  phone_number_id text,
  occurred_at timestamptz NOT NULL,
  raw jsonb NOT NULL,
  job_id uuid NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX provider_event_job_idx ON messaging.provider_event (job_id);

-- What is not sent for the time being. After `until` one message tries; the row stays until a message is accepted.
CREATE TABLE messaging.suspension (
  scope text NOT NULL CHECK (scope IN ('number', 'template', 'account')),
  key text NOT NULL,
  until timestamptz NOT NULL,
  -- The provider's code; 0 where an event suspended it.
  error_code int NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (scope, key)
);

-- Whether a template may be used. An account's own state is the row with an empty name.
CREATE TABLE messaging.template_state (
  account_id text NOT NULL,
  name text NOT NULL,
  language text NOT NULL,
  state text NOT NULL,
  occurred_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, name, language)
);

-- Who wants no marketing.
CREATE TABLE messaging.marketing_opt_out (
  phone_number_id text NOT NULL,
  recipient text NOT NULL,
  opted_out boolean NOT NULL,
  occurred_at timestamptz NOT NULL,
  PRIMARY KEY (phone_number_id, recipient)
);

-- The id the provider has for a customer's number; it may lack Brazil's ninth digit. Personal data.
CREATE TABLE messaging.recipient (
  business_id uuid NOT NULL,
  number text NOT NULL,
  recipient_id text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (business_id, number)
);
