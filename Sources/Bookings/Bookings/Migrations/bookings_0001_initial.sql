CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE SCHEMA bookings;

CREATE TABLE bookings.business (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  time_zone text NOT NULL,
  minimum_notice_seconds int NOT NULL DEFAULT 0 CHECK (minimum_notice_seconds >= 0),
  horizon_seconds int NOT NULL DEFAULT 5184000 CHECK (horizon_seconds > 0),
  days_off jsonb NOT NULL DEFAULT '[]'
);

CREATE TABLE bookings.service (
  id uuid PRIMARY KEY,
  business_id uuid NOT NULL REFERENCES bookings.business,
  name text NOT NULL,
  duration_seconds int NOT NULL CHECK (duration_seconds > 0),
  interval_seconds int NOT NULL CHECK (interval_seconds > 0),
  buffer_before_seconds int NOT NULL DEFAULT 0 CHECK (buffer_before_seconds >= 0),
  buffer_after_seconds int NOT NULL DEFAULT 0 CHECK (buffer_after_seconds >= 0)
);
CREATE INDEX service_business_idx ON bookings.service (business_id);

CREATE TABLE bookings.professional (
  id uuid PRIMARY KEY,
  business_id uuid NOT NULL REFERENCES bookings.business,
  name text NOT NULL,
  schedule jsonb NOT NULL
);
CREATE INDEX professional_business_idx ON bookings.professional (business_id);

CREATE TABLE bookings.professional_service (
  professional_id uuid NOT NULL REFERENCES bookings.professional,
  service_id uuid NOT NULL REFERENCES bookings.service,
  PRIMARY KEY (professional_id, service_id)
);

-- No foreign keys: a request for a business that does not exist is stored too, as rejected.
CREATE TABLE bookings.booking (
  id uuid PRIMARY KEY,
  business_id uuid NOT NULL,
  service_id uuid NOT NULL,
  professional_id uuid NOT NULL,
  -- Personal data.
  customer_name text NOT NULL,
  customer_phone text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz,
  status text NOT NULL CHECK (status IN ('validating', 'confirmed', 'rejected', 'cancelled')),
  reasons jsonb NOT NULL DEFAULT '[]',
  alternatives jsonb NOT NULL DEFAULT '[]',
  -- A hash of the request, to detect another request with the same idempotency key.
  fingerprint text NOT NULL,
  -- The last reschedule and its outcome.
  last_change jsonb,
  -- The newest command that was applied. UUIDv7: an older command that comes late is recognized.
  last_command uuid NOT NULL,
  attendance_confirmed_at timestamptz,
  version int NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX booking_business_idx ON bookings.booking (business_id, starts_at);

-- The time a booking occupies in a professional's calendar, buffers included; adjacent ranges do not overlap.
-- The exclusion constraint does not catch empty and unbounded ranges: the CHECK does.
CREATE TABLE bookings.claim (
  booking_id uuid PRIMARY KEY,
  business_id uuid NOT NULL,
  professional_id uuid NOT NULL,
  blocked tstzrange NOT NULL,
  CHECK (NOT isempty(blocked) AND lower_inc(blocked) AND NOT upper_inc(blocked) AND NOT upper_inf(blocked)),
  CONSTRAINT claim_no_overlap EXCLUDE USING gist (business_id WITH =, professional_id WITH =, blocked WITH &&)
);

-- What happened to a booking, step by step, and the job that did it. No personal data.
CREATE TABLE bookings.booking_event (
  booking_id uuid NOT NULL,
  type text NOT NULL,
  detail text NOT NULL DEFAULT '',
  job_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX booking_event_booking_idx ON bookings.booking_event (booking_id, created_at);
CREATE INDEX booking_event_job_idx ON bookings.booking_event (job_id);
