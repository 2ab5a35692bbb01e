/** Template type and data in; subject, text and HTML out. */
export type { OwnTemplatesConfig } from './custom/list-sources.ts'
export { openTemplates, type Templates, type TemplatesOptions } from './custom/open-templates.ts'
export { type TemplateProblem, toldProblem } from './custom/template-problem.ts'
export { describeTemplateTypes } from './describe-template-types.ts'
export { type MessageParts, type RenderRequest, renderMessage } from './render-message.ts'
export { SAMPLE_DATA, sampleData } from './sample-data.ts'
export * from './template-types.ts'
export { validateTemplateData } from './validate-template-data.ts'
