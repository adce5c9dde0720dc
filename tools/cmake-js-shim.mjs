#!/usr/bin/env node
// prebuildify calls a node-gyp ("rebuild --target=26.0.0 --arch=x64 ..."); this builds the addon the way that it is
// built here, where prebuildify then finds it.
const arch = process.argv.find((argument) => argument.startsWith('--arch='))?.slice('--arch='.length);
if (arch !== undefined && arch !== process.arch) {
  console.error(
    `prebuild: expected --arch=${process.arch} but received --arch=${arch}; build it on that machine`,
  );
  process.exit(1);
}
await import('./build-native.mjs');
