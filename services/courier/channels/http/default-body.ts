/** The body of a request for which no template is configured: eleven fields, null where a type of mail has none. */
export const DEFAULT_BODY = `function(ctx)
  local data = ctx.template_data;
  local field(name) = if name in data then data[name] else null;
  {
    recipient: ctx.recipient,
    template_type: ctx.template_type,
    to: field('to'),
    recovery_code: field('recovery_code'),
    recovery_url: field('recovery_url'),
    verification_url: field('verification_url'),
    verification_code: field('verification_code'),
    login_code: field('login_code'),
    registration_code: field('registration_code'),
    subject: ctx.subject,
    body: ctx.body,
  }
`
