/** What this folder uses of the global WebAssembly: TypeScript declares it only together with a browser's document. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, (...args: number[]) => number>>

  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    private readonly module: never
    static imports(module: Module): { readonly module: string; readonly name: string }[]
  }

  class Instance {
    constructor(module: Module, imports: Imports)
    readonly exports: Record<string, unknown>
  }

  interface Memory {
    /** Another one after each growth. */
    readonly buffer: ArrayBuffer
  }

  class RuntimeError extends Error {}
}
