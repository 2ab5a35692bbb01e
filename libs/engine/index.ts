/** The sandbox for users' templates: Jsonnet and Go's text/template and html/template, in WASM, in processes that can be ended. */
export type { EngineAnswer, EngineFailure, EngineFailureKind } from './answer.ts'
export {
  type Engine,
  type EngineOptions,
  type EscapedAction,
  openEngine,
  type TemplateFiles,
  type TemplateJob,
} from './open-engine.ts'
