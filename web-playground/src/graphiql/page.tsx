import { explorerPlugin } from '@graphiql/plugin-explorer';
import { useComputedColorScheme, VisuallyHidden } from '@mantine/core';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';
import { useState } from 'react';
import { Loading } from '../frame/loading';
import { useTitle } from '../frame/use-title';
import { browserStorage, storage } from '../lib/storage';
import { examples } from './examples';
import { type Existing, fill } from './examples/fill';
import { useExisting } from './existing';
import { createFetcher } from './fetcher';

// Created once: GraphiQL reloads the schema and its plugins whenever these change.
const fetcher = createFetcher();
const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

export default function GraphiqlPage() {
  useTitle('GraphiQL');
  const existing = useExisting();
  return (
    <>
      <VisuallyHidden component="h1">GraphiQL</VisuallyHidden>
      {existing ? <Editor existing={existing} /> : <Loading />}
    </>
  );
}

function Editor({ existing }: { existing: Existing }) {
  const [tabs] = useState(() => examples.map((example) => fill(example, existing)));
  const scheme = useComputedColorScheme('light');
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={tabs}
      plugins={plugins}
      // By default, GraphiQL keeps its keys apart in the storage of the browser.
      storage={browserStorage ? undefined : storage}
      defaultEditorToolsVisibility="variables"
      // The editor follows the colour scheme of the page.
      forcedTheme={scheme}
    >
      {/* The header of the page shows the name. */}
      <GraphiQL.Logo>{null}</GraphiQL.Logo>
    </GraphiQL>
  );
}
