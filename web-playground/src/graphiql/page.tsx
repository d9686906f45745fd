import { explorerPlugin } from '@graphiql/plugin-explorer';
import { useComputedColorScheme } from '@mantine/core';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';
import { useTitle } from '../frame/use-title';
import { browserStorage, storage } from '../lib/storage';
import { examples } from './examples';
import { createFetcher } from './fetcher';

// Created once: GraphiQL reloads the schema and its plugins whenever these change.
const fetcher = createFetcher();
const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

export default function GraphiqlPage() {
  useTitle('GraphiQL');
  const scheme = useComputedColorScheme('light');
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={examples}
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
