import type { Knex } from 'knex'

/** Verification and recovery, by code and by link, and phone numbers beside addresses. Additive: what the former version writes stays right. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table identity.address add column via text not null default 'email' check (via in ('email', 'sms'));
    -- One address of each kind per identity.
    create unique index address_kind on identity.address (identity_id, via);

    alter table identity.flow
      drop constraint flow_kind_check,
      add constraint flow_kind_check check (kind in ('registration', 'login', 'recovery', 'verification')),
      add column via text not null default 'email' check (via in ('email', 'sms')),
      add column method text not null default 'code' check (method in ('code', 'link')),
      -- The address that the code or link went to; once it is replaced, the flow proves nothing. Without a foreign key, as identity_id.
      add column address_id uuid;
    comment on column identity.flow.code_hash is 'keyed hash of the code, or of the token of a link';
  `)
}

/** What only the new kinds of flow and phone numbers need is lost. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from identity.flow where kind in ('recovery', 'verification') or via <> 'email';
    delete from identity.address where via <> 'email';
    alter table identity.flow
      drop column address_id, drop column method, drop column via,
      drop constraint flow_kind_check,
      add constraint flow_kind_check check (kind in ('registration', 'login'));
    drop index identity.address_kind;
    alter table identity.address drop column via`)
}
