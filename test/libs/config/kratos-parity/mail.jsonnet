function(ctx) {
  to: ctx.recipient,
  template: ctx.template_type,
  subject: ctx.subject,
  text: ctx.body,
  [if 'recovery_code' in ctx.template_data then 'code']: ctx.template_data.recovery_code,
}
