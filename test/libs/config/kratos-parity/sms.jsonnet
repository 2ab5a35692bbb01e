function(ctx) {
  From: '+15005550006',
  To: ctx.recipient,
  Body: ctx.body,
}
